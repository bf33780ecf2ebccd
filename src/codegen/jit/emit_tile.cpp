// The inner loops: sums of a register tile stay in registers from the first product to the last.
#include "codegen/jit/conv_emitter.h"

namespace memside::codegen {

using conv::ReductionLoop;
using conv::ReductionNest;
using Over = ReductionLoop::Over;

// The weights of an unrolled body, loaded where they are first used.
class ConvEmitter::WeightReader {
  public:
    WeightReader(ConvEmitter& emitter, const Tile& tile, Value offset)
        : emitter_(emitter), e_(emitter.e_), tile_(tile), offset_(offset) {}

    // The next vectors, as multiply_add() takes them.
    Values next(std::int64_t vectors) {
        Values result;
        for (std::int64_t i = 0; i < vectors; ++i, ++read_) {
            result.push_back(widen(emitter_.four_bits() ? four_bits() : load(read_)));
        }
        return result;
    }

  private:
    std::int64_t bytes() const { return emitter_.machine_.lanes * emitter_.machine_.group; }
    Value load(std::int64_t number) {
        return e_.load(tile_.weights, e_.add(offset_, number * bytes()), e_.bytes(bytes()));
    }

    // Four-bit weights come 16 times too large, which the epilogue takes back: so the high four
    // bits of a byte are a signed number without a shift. Two vectors share a load.
    Value four_bits() {
        const auto type = e_.bytes(bytes());
        const Value mask = e_.splat(type, 0xF0);
        if (read_ % 2 != 0) return e_.builder.create<mlir::arith::AndIOp>(e_.loc, pair_, mask);
        pair_ = load(read_ / 2);
        // Within 32 bits: the bits that a neighbour shifts in are masked.
        const auto words = e_.vector(bytes() / 4, 32);
        const Value raised = e_.builder.create<mlir::arith::ShLIOp>(
            e_.loc, e_.bitcast(words, pair_), e_.splat(words, 4));
        return e_.builder.create<mlir::arith::AndIOp>(e_.loc, e_.bitcast(type, raised), mask);
    }

    Value widen(Value loaded) {
        if (emitter_.vnni()) return e_.bitcast(emitter_.sums(), loaded);
        const auto words = e_.vector(2 * emitter_.machine_.lanes, 16);
        return e_.builder.create<mlir::arith::ExtSIOp>(e_.loc, words, loaded);
    }

    ConvEmitter& emitter_;
    Emitter& e_;
    const Tile& tile_;
    Value offset_;
    std::int64_t read_ = 0;
    Value pair_;
};

// Arguments: input, weights, tables, output, then offsets into them, the number of tiles, and the
// first and last kernel row where some are left out.
mlir::func::FuncOp ConvEmitter::tiles(const TileForm& form) {
    auto& found = tiles_[form.key()];
    if (found) return found;
    const mlir::Type index = e_.builder.getIndexType();
    const auto layout = plan_.schedule.layout();
    llvm::SmallVector<mlir::Type> types{
        buffer(reads_input() ? conv::input_bytes(shape_, layout) : plan_.scratch_bytes()),
        buffer(plan_.weight_bytes),
        table_buffer(),
        buffer(conv::output_bytes(shape_, layout)),
        index,
        index,
        index,
        index,
        index};
    if (plan_.skips_rows) types.append({index, index});
    const std::string name = "tiles_" + std::to_string(form.height) + "x" +
                             std::to_string(form.width) + "x" + std::to_string(form.vectors) +
                             (form.last_lanes < machine_.lanes ? "_tail" : "") +
                             (form.downwards ? "_down" : "");
    const std::int64_t in_step = (form.downwards ? form.height * plan_.tile_row_stride
                                                 : form.width * plan_.tile_pixel_stride) *
                                 element_bytes();
    const std::int64_t out_step = form.pixels() * output_pixel_bytes();

    found = e_.function(name, types, false, [&](mlir::ValueRange arguments) {
        Tile tile{form, arguments[0], arguments[1], {}, 0, form.width};
        if (plan_.skips_rows) tile.rows = {arguments[9], arguments[10]};
        e_.loop(e_.index(0), arguments[8], [&](Value number) {
            const Value input = e_.add(arguments[4], e_.multiply(number, in_step));
            const Value output = e_.add(arguments[7], e_.multiply(number, out_step));
            // Sums in the order [pixel][vector], then the weights' offset.
            Values carried;
            Values start;
            for (std::int64_t v = 0; v < form.vectors; ++v) {
                start.push_back(four_bits() ? e_.splat(sums(), 0)
                                            : load_table(arguments[2], arguments[6], v, 0));
            }
            for (std::int64_t p = 0; p < form.pixels(); ++p) carried.append(start);
            carried.push_back(arguments[5]);
            for (const ReductionNest& nest : plan_.nests) {
                const Value at = e_.add(input, nest.first_channel * element_bytes());
                carried = emit_nest(tile, nest, 0, at, carried);
            }
            llvm::SmallVector<Tables> tables;
            for (std::int64_t v = 0; v < form.vectors; ++v) {
                tables.push_back(load_tables(arguments[2], arguments[6], v));
            }
            for (std::int64_t p = 0; p < form.pixels(); ++p) {
                Values scaled;
                for (std::int64_t v = 0; v < form.vectors; ++v) {
                    const auto at = static_cast<std::size_t>(p * form.vectors + v);
                    scaled.push_back(scale(carried[at], tables[static_cast<std::size_t>(v)]));
                }
                store_pixel(form, scaled, arguments[3], e_.add(output, p * output_pixel_bytes()));
            }
        });
    });
    return found;
}

Values ConvEmitter::emit_nest(const Tile& tile, const ReductionNest& nest, std::size_t depth,
                              Value input_offset, Values carried) {
    if (depth == nest.loops.size()) return emit_run(tile, nest.steps, input_offset, carried);
    const ReductionLoop& loop = nest.loops[depth];
    if (loop.over == Over::kernel_row && plan_.skips_rows) {
        return emit_rows(tile, nest, depth, input_offset, carried);
    }
    if (loop.over == Over::kernel_column && plan_.skips_columns) {
        return emit_columns(tile, nest, depth, input_offset, carried);
    }
    return e_.loop(
        e_.index(0), e_.index(loop.trips), carried, [&](Value trip, mlir::ValueRange values) {
            const Value at =
                e_.add(input_offset, e_.multiply(trip, loop.input_step * element_bytes()));
            return emit_nest(tile, nest, depth + 1, at, Values(values));
        });
}

// Bytes of weights that the loops of a nest from `depth` inwards meet.
std::int64_t ConvEmitter::weight_bytes(const ReductionNest& nest, std::size_t depth,
                                       std::int64_t vectors) const {
    const std::int64_t chunk = plan_.schedule.chunk;
    std::int64_t bytes = nest.steps / chunk * conv::body_bytes(plan_, chunk, vectors) +
                         conv::body_bytes(plan_, nest.steps % chunk, vectors);
    for (; depth < nest.loops.size(); ++depth) bytes *= nest.loops[depth].trips;
    return bytes;
}

// Kernel rows from the first to the last that lies within the image; the weights of the others are
// passed over.
Values ConvEmitter::emit_rows(const Tile& tile, const ReductionNest& nest, std::size_t depth,
                              Value input_offset, Values carried) {
    const ReductionLoop& loop = nest.loops[depth];
    const std::int64_t bytes = weight_bytes(nest, depth + 1, tile.form.vectors);
    const Value weights = carried.back();
    carried.back() = e_.add(weights, e_.multiply(tile.rows.first, bytes));
    carried =
        e_.loop(tile.rows.first, tile.rows.last, carried, [&](Value row, mlir::ValueRange values) {
            const Value at =
                e_.add(input_offset, e_.multiply(row, loop.input_step * element_bytes()));
            return emit_nest(tile, nest, depth + 1, at, Values(values));
        });
    carried.back() = e_.add(weights, loop.trips * bytes);
    return carried;
}

// Kernel columns one by one, each for the pixels under which it lies within the image.
Values ConvEmitter::emit_columns(const Tile& tile, const ReductionNest& nest, std::size_t depth,
                                 Value input_offset, Values carried) {
    const ReductionLoop& loop = nest.loops[depth];
    const std::int64_t bytes = weight_bytes(nest, depth + 1, tile.form.vectors);
    const Value weights = carried.back();
    for (std::int64_t s = 0; s < loop.trips; ++s) {
        Tile part = tile;
        const auto outside = [&](std::int64_t pixel) {
            const std::int64_t x = pixel * shape_.stride - shape_.pad + s * shape_.dilation;
            return x < 0 || x >= shape_.w;
        };
        while (part.first_column < part.last_column && outside(part.first_column)) {
            ++part.first_column;
        }
        while (part.last_column > part.first_column && outside(part.last_column - 1)) {
            --part.last_column;
        }
        carried.back() = e_.add(weights, s * bytes);
        if (part.first_column == part.last_column) continue;
        const Value at = e_.add(input_offset, s * loop.input_step * element_bytes());
        carried = emit_nest(part, nest, depth + 1, at, carried);
    }
    carried.back() = e_.add(weights, loop.trips * bytes);
    return carried;
}

// Consecutive broadcasts: unrolled bodies of a chunk, then what is left.
Values ConvEmitter::emit_run(const Tile& tile, std::int64_t steps, Value input_offset,
                             Values carried) {
    const std::int64_t chunk = plan_.schedule.chunk;
    const std::int64_t chunks = steps / chunk;
    const std::int64_t chunk_bytes = chunk * machine_.group * element_bytes();
    if (chunks == 1) {
        carried = emit_body(tile, chunk, input_offset, carried);
    } else if (chunks > 1) {
        carried =
            e_.loop(e_.index(0), e_.index(chunks), carried, [&](Value i, mlir::ValueRange values) {
                const Value at = e_.add(input_offset, e_.multiply(i, chunk_bytes));
                return emit_body(tile, chunk, at, Values(values));
            });
    }
    return emit_body(tile, steps % chunk, e_.add(input_offset, chunks * chunk_bytes), carried);
}

Values ConvEmitter::emit_body(const Tile& tile, std::int64_t steps, Value input_offset,
                              Values carried) {
    if (steps == 0) return carried;
    const TileForm& form = tile.form;
    const Value weight_offset = carried.back();
    WeightReader weights(*this, tile, weight_offset);
    for (std::int64_t step = 0; step < steps; ++step) {
        const Values row = weights.next(form.vectors);
        for (std::int64_t p = 0; p < form.pixels(); ++p) {
            if (p % form.width < tile.first_column || p % form.width >= tile.last_column) continue;
            const std::int64_t pixel =
                p / form.width * plan_.tile_row_stride + p % form.width * plan_.tile_pixel_stride;
            const std::int64_t element = pixel + step * machine_.group;
            const Value activation =
                load_activation(tile.input, e_.add(input_offset, element * element_bytes()));
            for (std::int64_t v = 0; v < form.vectors; ++v) {
                Value& sum = carried[static_cast<std::size_t>(p * form.vectors + v)];
                sum = multiply_add(sum, activation, row[static_cast<std::size_t>(v)]);
            }
        }
    }
    carried.back() = e_.add(weight_offset, conv::body_bytes(plan_, steps, form.vectors));
    return carried;
}

// One group of a pixel's channels in all lanes, as multiply_add() takes it.
Value ConvEmitter::load_activation(Value input, Value offset) {
    const std::int64_t bytes = machine_.group * element_bytes();
    const auto bits = static_cast<unsigned>(bytes * 8);
    const Value loaded = e_.bitcast(e_.vector(1, bits), e_.load(input, offset, e_.bytes(bytes)));
    const Value scalar =
        e_.builder.create<mlir::vector::ExtractOp>(e_.loc, loaded, std::int64_t{0});
    const Value spread = e_.broadcast(e_.vector(machine_.lanes, bits), scalar);
    const bool is_signed = plan_.problem.input == conv::ByteType::s8;
    if (vnni()) {
        if (!is_signed || !reads_input()) return spread;
        // Signed activations become unsigned ones that are 128 larger.
        return e_.builder.create<mlir::arith::XOrIOp>(e_.loc, spread, e_.splat(sums(), 0x80808080));
    }
    const auto pairs = e_.vector(2 * machine_.lanes, 16);
    if (!reads_input()) return e_.bitcast(pairs, spread);
    const Value narrow = e_.bitcast(e_.bytes(2 * machine_.lanes), spread);
    if (is_signed) return e_.builder.create<mlir::arith::ExtSIOp>(e_.loc, pairs, narrow);
    return e_.builder.create<mlir::arith::ExtUIOp>(e_.loc, pairs, narrow);
}

Value ConvEmitter::multiply_add(Value sum, Value activation, Value weight) {
    if (vnni()) {
        return e_.intrinsic("llvm.x86.avx512.vpdpbusd.512", sums(), {sum, activation, weight});
    }
    const Value products = e_.intrinsic("llvm.x86.avx2.pmadd.wd", sums(), {activation, weight});
    return e_.builder.create<mlir::arith::AddIOp>(e_.loc, sum, products);
}

}  // namespace memside::codegen
