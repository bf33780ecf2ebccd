// Copies of a task's input: rows with their borders, and patches. All sizes are known, so that no
// element is asked whether it lies outside the image; only whole rows are.
#include "codegen/jit/conv_emitter.h"

namespace memside::codegen {

namespace arith = mlir::arith;
using conv::ByteType;

namespace {

// Bytes of a vector that copying takes at once.
constexpr std::int64_t copy_bytes = 64;

}  // namespace

// Arguments of both: input, scratch, image, first output row, rows of output pixels.
mlir::func::FuncOp ConvEmitter::emit_copy_rows() {
    const mlir::Type index = e_.builder.getIndexType();
    const std::int64_t input_bytes = conv::input_bytes(shape_, plan_.schedule.layout());
    const std::int64_t bytes = machine_.activation_bytes;
    const std::int64_t left = std::min(shape_.pad, plan_.copy_width);
    const std::int64_t inside =
        std::max<std::int64_t>(0, std::min(shape_.w, plan_.copy_width - shape_.pad));
    const std::int64_t right = plan_.copy_width - left - inside;
    const std::int64_t channels = plan_.block_channels;
    return e_.function(
        "copy_rows", {buffer(input_bytes), buffer(plan_.scratch_bytes()), index, index, index},
        false, [&](mlir::ValueRange arguments) {
            const Value input = arguments[0];
            const Value scratch = arguments[1];
            const std::int64_t reach = (shape_.r - 1) * shape_.dilation + 1 - shape_.stride;
            const Value rows = e_.add(e_.multiply(arguments[4], shape_.stride), reach);
            e_.repeat(plan_.channel_blocks, [&](Value block) {
                e_.loop(e_.index(0), rows, [&](Value row) {
                    const Value y =
                        e_.add(e_.add(e_.multiply(arguments[3], shape_.stride), row), -shape_.pad);
                    const Value plane =
                        e_.add(e_.multiply(arguments[2], plan_.channel_blocks), block);
                    const Value from =
                        e_.multiply(e_.add(e_.multiply(plane, shape_.h), y), shape_.w * channels);
                    const Value to = e_.add(e_.multiply(block, plan_.block_stride * bytes),
                                            e_.multiply(row, plan_.row_stride * bytes));
                    // Unsigned: a row above the image is a very large number.
                    const Value within = e_.builder.create<arith::CmpIOp>(
                        e_.loc, arith::CmpIPredicate::ult, y, e_.index(shape_.h));
                    e_.when(within, [&] {
                        fill(scratch, to, left * channels);
                        const Value begin = e_.add(to, left * channels * bytes);
                        copy(input, from, scratch, begin, inside * channels, true);
                        fill(scratch, e_.add(begin, inside * channels * bytes), right * channels);
                    });
                    // Rows that are left out are not read either.
                    if (plan_.skips_rows) return;
                    e_.when(e_.negate(within),
                            [&] { fill(scratch, to, plan_.copy_width * channels); });
                });
            });
        });
}

mlir::func::FuncOp ConvEmitter::emit_copy_patches() {
    const mlir::Type index = e_.builder.getIndexType();
    const std::int64_t input_bytes = conv::input_bytes(shape_, plan_.schedule.layout());
    const std::int64_t bytes = machine_.activation_bytes;
    const bool from_copy = plan_.copies_rows;
    const std::int64_t from_bytes = from_copy ? bytes : 1;
    const std::int64_t channels = plan_.block_channels;
    const bool whole_rows = plan_.channel_blocks == 1 && (shape_.dilation == 1 || shape_.s == 1);
    // The bytes of a kernel row in the patch, and of a kernel column.
    const std::int64_t column = plan_.channel_blocks * channels * bytes;
    return e_.function(
        "copy_patches", {buffer(input_bytes), buffer(plan_.scratch_bytes()), index, index, index},
        false, [&](mlir::ValueRange arguments) {
            const Value scratch = arguments[1];
            const Value source = from_copy ? scratch : arguments[0];
            Value base = e_.index(0);
            if (!from_copy) {
                base = e_.add(e_.multiply(arguments[2], plan_.channel_blocks * plan_.block_stride),
                              e_.multiply(arguments[3], shape_.stride * plan_.row_stride));
            }
            e_.loop(e_.index(0), arguments[4], [&](Value y) {
                e_.loop(e_.index(0), e_.index(shape_.out_w()), [&](Value x) {
                    const Value pixel = e_.add(e_.multiply(y, shape_.out_w()), x);
                    const Value to =
                        e_.add(e_.multiply(pixel, plan_.patch_stride * bytes), plan_.padded_bytes);
                    const std::int64_t step = shape_.stride * from_bytes;
                    const Value from = e_.add(e_.add(base, e_.multiply(y, step * plan_.row_stride)),
                                              e_.multiply(x, step * plan_.pixel_stride));
                    e_.repeat(shape_.r, [&](Value r) {
                        const Value row_to = e_.add(to, e_.multiply(r, shape_.s * column));
                        const Value row_from = e_.add(
                            from, e_.multiply(r, shape_.dilation * plan_.row_stride * from_bytes));
                        if (whole_rows) {
                            copy(source, row_from, scratch, row_to, shape_.s * channels,
                                 !from_copy);
                            return;
                        }
                        e_.repeat(shape_.s, [&](Value s) {
                            const Value column_to = e_.add(row_to, e_.multiply(s, column));
                            const Value column_from = e_.add(
                                row_from,
                                e_.multiply(s, shape_.dilation * plan_.pixel_stride * from_bytes));
                            e_.repeat(plan_.channel_blocks, [&](Value block) {
                                copy(source,
                                     e_.add(column_from,
                                            e_.multiply(block, plan_.block_stride * from_bytes)),
                                     scratch,
                                     e_.add(column_to, e_.multiply(block, channels * bytes)),
                                     channels, !from_copy);
                            });
                        });
                    });
                });
            });
        });
}

// Copies exactly `elements`; `convert`: from the input's bytes to elements of the copy.
void ConvEmitter::copy(Value from, Value from_offset, Value to, Value to_offset,
                       std::int64_t elements, bool convert) {
    const std::int64_t to_bytes = machine_.activation_bytes;
    const std::int64_t from_bytes = convert ? 1 : to_bytes;
    std::int64_t piece = copy_bytes / to_bytes;
    std::int64_t done = elements / piece * piece;
    e_.repeat(elements / piece, [&](Value i) {
        copy_piece(from, e_.add(from_offset, e_.multiply(i, piece * from_bytes)), to,
                   e_.add(to_offset, e_.multiply(i, piece * to_bytes)), piece, convert);
    });
    for (piece /= 2; piece > 0; piece /= 2) {
        if (elements - done < piece) continue;
        copy_piece(from, e_.add(from_offset, done * from_bytes), to,
                   e_.add(to_offset, done * to_bytes), piece, convert);
        done += piece;
    }
}

void ConvEmitter::copy_piece(Value from, Value from_offset, Value to, Value to_offset,
                             std::int64_t elements, bool convert) {
    const std::int64_t to_bytes = machine_.activation_bytes;
    const auto type = e_.bytes(elements * (convert ? 1 : to_bytes));
    Value value = e_.load(from, from_offset, type);
    const bool is_signed = plan_.problem.input == ByteType::s8;
    if (convert && vnni() && is_signed) {
        value = e_.builder.create<arith::XOrIOp>(e_.loc, value, e_.splat(type, 0x80));
    } else if (convert && !vnni()) {
        const auto words = e_.vector(elements, 16);
        value = is_signed ? e_.builder.create<arith::ExtSIOp>(e_.loc, words, value).getResult()
                          : e_.builder.create<arith::ExtUIOp>(e_.loc, words, value).getResult();
        value = e_.bitcast(e_.bytes(2 * elements), value);
    }
    e_.store(value, to, to_offset);
}

// What lies outside the image: the input's zero point.
void ConvEmitter::fill(Value to, Value to_offset, std::int64_t elements) {
    const std::int64_t bytes = machine_.activation_bytes;
    const bool raised = vnni() && plan_.problem.input == ByteType::s8;
    const std::int64_t value = plan_.problem.input_zero_point + (raised ? 128 : 0);
    const auto store_piece = [&](Value offset, std::int64_t count) {
        const Value filled = e_.splat(e_.vector(count, static_cast<unsigned>(8 * bytes)), value);
        e_.store(e_.bitcast(e_.bytes(count * bytes), filled), to, offset);
    };
    std::int64_t piece = copy_bytes / bytes;
    std::int64_t done = elements / piece * piece;
    e_.repeat(elements / piece, [&](Value i) {
        store_piece(e_.add(to_offset, e_.multiply(i, piece * bytes)), piece);
    });
    for (piece /= 2; piece > 0; piece /= 2) {
        if (elements - done < piece) continue;
        store_piece(e_.add(to_offset, done * bytes), piece);
        done += piece;
    }
}

}  // namespace memside::codegen
