// From 32-bit sums to bytes: scale, round, clip, pack, store.
#include "codegen/jit/conv_emitter.h"

namespace memside::codegen {

namespace arith = mlir::arith;

// Tables are [vector][bias, multiplier, rounding, shift][lane]; `offset` is that of the block.
Value ConvEmitter::load_table(Value tables, Value offset, std::int64_t vector, std::int64_t which) {
    return e_.load(tables, e_.add(offset, (vector * 4 + which) * machine_.lanes), sums());
}

ConvEmitter::Tables ConvEmitter::load_tables(Value tables, Value offset, std::int64_t vector) {
    const auto wide = e_.vector(machine_.lanes / 2, 64);
    const Value half = e_.splat(wide, 32);
    const Value multiplier = e_.bitcast(wide, load_table(tables, offset, vector, 1));
    Tables result;
    if (four_bits()) result.bias = load_table(tables, offset, vector, 0);
    // A multiplication of 64-bit lanes whose operands are extended 32-bit ones is vpmuldq.
    result.multiplier_odd = e_.builder.create<arith::ShRSIOp>(e_.loc, multiplier, half);
    result.multiplier_even = e_.builder.create<arith::ShRSIOp>(
        e_.loc, e_.builder.create<arith::ShLIOp>(e_.loc, multiplier, half), half);
    result.rounding = load_table(tables, offset, vector, 2);
    result.shift = load_table(tables, offset, vector, 3);
    return result;
}

// ((sum x multiplier) >> 32 + rounding) >> shift, which is the rounded quotient by 2^(32 + shift)
// plus the zero point, exactly: flooring twice is flooring once.
Value ConvEmitter::scale(Value sum, const Tables& tables) {
    const auto wide = e_.vector(machine_.lanes / 2, 64);
    const Value half = e_.splat(wide, 32);
    if (four_bits()) {
        sum = e_.builder.create<arith::ShRSIOp>(e_.loc, sum, e_.splat(sums(), 4));
        sum = e_.builder.create<arith::AddIOp>(e_.loc, sum, tables.bias);
    }
    const Value lanes = e_.bitcast(wide, sum);
    const Value odd = e_.builder.create<arith::ShRSIOp>(e_.loc, lanes, half);
    const Value even = e_.builder.create<arith::ShRSIOp>(
        e_.loc, e_.builder.create<arith::ShLIOp>(e_.loc, lanes, half), half);
    const Value odd_product = e_.builder.create<arith::MulIOp>(e_.loc, odd, tables.multiplier_odd);
    const Value even_product =
        e_.builder.create<arith::MulIOp>(e_.loc, even, tables.multiplier_even);
    // High halves: lanes 1, 3, 5 ... of both.
    llvm::SmallVector<std::int64_t> interleaved;
    for (std::int64_t i = 0; i < machine_.lanes; i += 2) {
        interleaved.push_back(i + 1);
        interleaved.push_back(machine_.lanes + i + 1);
    }
    const Value high = e_.builder.create<mlir::vector::ShuffleOp>(
        e_.loc, e_.bitcast(sums(), even_product), e_.bitcast(sums(), odd_product), interleaved);
    const Value rounded = e_.builder.create<arith::AddIOp>(e_.loc, high, tables.rounding);
    return e_.builder.create<arith::ShRSIOp>(e_.loc, rounded, tables.shift);
}

void ConvEmitter::store_pixel(const TileForm& form, mlir::ArrayRef<Value> scaled, Value output,
                              Value offset) {
    const std::int64_t lanes = machine_.lanes;
    const std::int64_t whole = form.last_lanes < lanes ? form.vectors - 1 : form.vectors;
    std::int64_t v = 0;
    if (plan_.schedule.packed != 0) {
        for (const std::int64_t group : {4, 2}) {
            while (whole - v >= group) {
                store_packed(
                    scaled.slice(static_cast<std::size_t>(v), static_cast<std::size_t>(group)),
                    output, e_.add(offset, v * lanes));
                v += group;
            }
        }
    }
    for (; v < form.vectors; ++v) {
        store_one(scaled[static_cast<std::size_t>(v)], v < whole ? lanes : form.last_lanes, output,
                  e_.add(offset, v * lanes));
    }
}

// Clips 32-bit lanes and stores the lowest byte of each of the first `lanes`.
void ConvEmitter::store_one(Value scaled, std::int64_t lanes, Value output, Value offset) {
    const Value low = e_.splat(sums(), plan_.problem.output_low());
    const Value high = e_.splat(sums(), plan_.problem.output_high());
    const Value clipped = e_.builder.create<arith::MinSIOp>(
        e_.loc, e_.builder.create<arith::MaxSIOp>(e_.loc, scaled, low), high);
    const Value narrow =
        e_.builder.create<arith::TruncIOp>(e_.loc, e_.bytes(machine_.lanes), clipped);
    if (lanes == machine_.lanes) {
        e_.store(narrow, output, offset);
        return;
    }
    // What remains of the channels, in powers of two.
    std::int64_t first = 0;
    for (std::int64_t piece = machine_.lanes / 2; piece > 0; piece /= 2) {
        if (lanes - first < piece) continue;
        llvm::SmallVector<std::int64_t> taken;
        for (std::int64_t i = 0; i < piece; ++i) taken.push_back(first + i);
        const Value part =
            e_.builder.create<mlir::vector::ShuffleOp>(e_.loc, narrow, narrow, taken);
        e_.store(part, output, e_.add(offset, first));
        first += piece;
    }
}

// Two or four vectors in one store, clipped by the saturation of the packing instructions. They
// pack within 128-bit parts, so that a last shuffle of 32-bit lanes puts the vectors in a row.
void ConvEmitter::store_packed(mlir::ArrayRef<Value> scaled, Value output, Value offset) {
    const std::int64_t lanes = machine_.lanes;
    const auto words = e_.vector(2 * lanes, 16);
    const auto bytes = e_.bytes(4 * lanes);
    const bool is_signed = plan_.problem.output == conv::ByteType::s8;
    const auto pack_words = [&](Value a, Value b) {
        return e_.intrinsic(vnni() ? "llvm.x86.avx512.packssdw.512" : "llvm.x86.avx2.packssdw",
                            words, {a, b});
    };
    const Value first = pack_words(scaled[0], scaled[1]);
    const Value second = scaled.size() == 4 ? pack_words(scaled[2], scaled[3]) : first;
    const char* name = nullptr;
    if (vnni()) {
        name = is_signed ? "llvm.x86.avx512.packsswb.512" : "llvm.x86.avx512.packuswb.512";
    } else {
        name = is_signed ? "llvm.x86.avx2.packsswb" : "llvm.x86.avx2.packuswb";
    }
    const Value packed = e_.bitcast(sums(), e_.intrinsic(name, bytes, {first, second}));
    llvm::SmallVector<std::int64_t> order;
    for (std::int64_t v = 0; v < static_cast<std::int64_t>(scaled.size()); ++v) {
        for (std::int64_t part = 0; part < lanes / 4; ++part) order.push_back(part * 4 + v);
    }
    const Value ordered = e_.builder.create<mlir::vector::ShuffleOp>(e_.loc, packed, packed, order);
    const auto stored = e_.bytes(static_cast<std::int64_t>(scaled.size()) * lanes);
    Value result = e_.bitcast(stored, ordered);
    const std::int32_t low = plan_.problem.output_low();
    if (low != conv::lowest(plan_.problem.output)) {
        const Value floor = e_.splat(stored, low);
        result = is_signed ? e_.builder.create<arith::MaxSIOp>(e_.loc, result, floor).getResult()
                           : e_.builder.create<arith::MaxUIOp>(e_.loc, result, floor).getResult();
    }
    e_.store(result, output, offset);
}

}  // namespace memside::codegen
