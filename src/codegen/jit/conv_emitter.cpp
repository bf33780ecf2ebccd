#include "codegen/jit/conv_emitter.h"

namespace memside::codegen {

using conv::InputMode;
using conv::Layout;

namespace {

// Arguments of the kernel.
enum : unsigned {
    input_arg,
    weights_arg,
    tables_arg,
    output_arg,
    scratch_arg,
    first_arg,
    last_arg
};

}  // namespace

ConvEmitter::ConvEmitter(mlir::ModuleOp module, const conv::ConvPlan& plan)
    : plan_(plan), shape_(plan.problem.shape), machine_(conv::traits(plan.target)), e_(module) {}

std::int64_t ConvEmitter::output_pixel_bytes() const {
    return plan_.schedule.tiled != 0 ? conv::channel_tile(shape_.k) : shape_.k;
}

void ConvEmitter::emit(const std::string& symbol) {
    if (plan_.copies_rows) copy_rows_ = emit_copy_rows();
    if (plan_.mode == InputMode::patches) copy_patches_ = emit_copy_patches();
    const Layout layout = plan_.schedule.layout();
    const mlir::Type i64 = e_.builder.getI64Type();
    const llvm::SmallVector<mlir::Type> types{buffer(conv::input_bytes(shape_, layout)),
                                              buffer(plan_.weight_bytes),
                                              table_buffer(),
                                              buffer(conv::output_bytes(shape_, layout)),
                                              buffer(plan_.scratch_bytes()),
                                              i64,
                                              i64};
    e_.function(symbol, types, true, [&](mlir::ValueRange arguments) {
        const auto to_index = [&](Value value) {
            return e_.builder.create<mlir::arith::IndexCastOp>(e_.loc, e_.builder.getIndexType(),
                                                               value);
        };
        const Value first = to_index(arguments[first_arg]);
        e_.loop(first, to_index(arguments[last_arg]),
                [&](Value task) { emit_task(arguments, task, first); });
    });
}

void ConvEmitter::emit_task(mlir::ValueRange arguments, Value number, Value first_task) {
    const Value channel_task = e_.remainder(number, plan_.channel_tasks);
    const Value rest = e_.divide(number, plan_.channel_tasks);
    const Value row_task = e_.remainder(rest, plan_.row_tasks);
    Task task;
    task.image = e_.divide(rest, plan_.row_tasks);
    task.first_row = e_.multiply(row_task, plan_.schedule.tile_rows);
    const std::int64_t last_rows =
        shape_.out_h() - (plan_.row_tasks - 1) * plan_.schedule.tile_rows;
    task.is_last_row_task = e_.equal(row_task, plan_.row_tasks - 1);
    task.rows = e_.builder.create<mlir::arith::SelectOp>(
        e_.loc, task.is_last_row_task, e_.index(last_rows), e_.index(plan_.schedule.tile_rows));

    // Tasks that differ in output channels alone share a copy.
    if (plan_.mode != InputMode::direct) {
        const Value fresh = e_.builder.create<mlir::arith::OrIOp>(e_.loc, e_.equal(channel_task, 0),
                                                                  e_.equal(number, first_task));
        e_.when(fresh, [&] {
            const Values copied{arguments[input_arg], arguments[scratch_arg], task.image,
                                task.first_row, task.rows};
            if (plan_.copies_rows) e_.call(copy_rows_, copied);
            if (plan_.mode == InputMode::patches) e_.call(copy_patches_, copied);
        });
    }
    switch (plan_.mode) {
        case InputMode::direct: {
            // Of the first kernel row and column of the first output pixel, inside or not.
            const Value image = e_.multiply(task.image, plan_.channel_blocks * plan_.block_stride);
            const Value row = e_.multiply(task.first_row, shape_.stride * plan_.row_stride);
            task.input_offset =
                e_.add(e_.add(image, row), -shape_.pad * (plan_.row_stride + plan_.pixel_stride));
            break;
        }
        case InputMode::padded:
            task.input_offset = e_.index(0);
            break;
        case InputMode::patches:
            task.input_offset = e_.index(plan_.padded_bytes);
            break;
    }
    emit_blocks(arguments, task, channel_task);
}

void ConvEmitter::emit_blocks(mlir::ValueRange arguments, const Task& task, Value channel_task) {
    const std::int64_t per_task = plan_.schedule.tile_blocks;
    const std::int64_t tail = shape_.k % machine_.lanes;
    // The last block is of its own form where it is narrower, or its last vector is partly empty.
    const bool last_differs = plan_.rest_vectors > 0 || tail > 0;
    const std::int64_t alike = plan_.full_blocks - (plan_.rest_vectors == 0 && tail > 0 ? 1 : 0);
    TileForm form;
    form.vectors = plan_.schedule.vectors;
    form.last_lanes = machine_.lanes;
    const Value first = e_.multiply(channel_task, per_task);
    const Value last = e_.least(e_.add(first, per_task), e_.index(alike));
    if (alike > 0) {
        e_.loop(first, last, [&](Value block) { emit_block(arguments, task, block, form); });
    }
    if (!last_differs) return;
    if (plan_.rest_vectors > 0) form.vectors = plan_.rest_vectors;
    if (tail > 0) form.last_lanes = tail;
    e_.when(e_.equal(channel_task, alike / per_task),
            [&] { emit_block(arguments, task, e_.index(alike), form); });
}

void ConvEmitter::emit_block(mlir::ValueRange arguments, const Task& task, Value block,
                             TileForm form) {
    const std::int64_t channels = plan_.schedule.vectors * machine_.lanes;
    const Value weight_offset = e_.multiply(block, plan_.block_weight_bytes);
    const Value table_offset = e_.multiply(block, 4 * channels);
    const Value k = e_.multiply(block, channels);
    const std::int64_t pixel_bytes = output_pixel_bytes();
    const std::int64_t image_pixels = shape_.out_h() * shape_.out_w();
    // The task's first pixel, then the block's channels.
    Value plane = task.image;
    Value channel = k;
    if (plan_.schedule.tiled != 0) {
        const std::int64_t tiles = (shape_.k + pixel_bytes - 1) / pixel_bytes;
        plane = e_.add(e_.multiply(task.image, tiles), e_.divide(k, pixel_bytes));
        channel = e_.remainder(k, pixel_bytes);
    }
    const Value pixel =
        e_.add(e_.multiply(plane, image_pixels), e_.multiply(task.first_row, shape_.out_w()));
    const Value output_offset = e_.add(e_.multiply(pixel, pixel_bytes), channel);
    emit_pixels(arguments, task, weight_offset, table_offset, output_offset, form);
}

void ConvEmitter::emit_pixels(mlir::ValueRange arguments, const Task& task, Value weight_offset,
                              Value table_offset, Value output_offset, TileForm form) {
    const std::int64_t out_w = shape_.out_w();
    const std::int64_t pixel_in = plan_.tile_pixel_stride * element_bytes();
    const std::int64_t row_in = plan_.tile_row_stride * element_bytes();
    const std::int64_t pixel_out = output_pixel_bytes();
    form.height = plan_.tile_height;
    form.width = plan_.tile_width;
    // Runs `count` tiles of the form, `pixels` after the task's first one in a plain sense of
    // offsets: `in` and `out` bytes further.
    KernelRows rows;
    const auto run = [&](const TileForm& tile, Value in, Value out, Value count) {
        Values values{arguments[reads_input() ? input_arg : scratch_arg],
                      arguments[weights_arg],
                      arguments[tables_arg],
                      arguments[output_arg],
                      e_.add(task.input_offset, in),
                      weight_offset,
                      table_offset,
                      e_.add(output_offset, out),
                      count};
        if (plan_.skips_rows) values.append({rows.first, rows.last});
        e_.call(tiles(tile), values);
    };
    if (plan_.flat) {
        const Value count = e_.divide(e_.multiply(task.rows, out_w), form.width);
        run(form, e_.index(0), e_.index(0), count);
        const Value in = e_.multiply(count, form.width * pixel_in);
        const Value out = e_.multiply(count, form.width * pixel_out);
        const auto rest = [&](std::int64_t pixels) {
            if (pixels == 0) return;
            TileForm narrow = form;
            narrow.width = pixels;
            run(narrow, in, out, e_.index(1));
        };
        const std::int64_t last_rows =
            shape_.out_h() - (plan_.row_tasks - 1) * plan_.schedule.tile_rows;
        const std::int64_t rest_full = plan_.schedule.tile_rows * out_w % form.width;
        const std::int64_t rest_last = last_rows * out_w % form.width;
        if (rest_full == rest_last) {
            rest(rest_full);
            return;
        }
        const Value last = task.is_last_row_task;
        const Value full = e_.builder.create<mlir::arith::XOrIOp>(
            e_.loc, last, e_.builder.create<mlir::arith::ConstantIntOp>(e_.loc, 1, 1));
        if (rest_full > 0) e_.when(full, [&] { rest(rest_full); });
        if (rest_last > 0) e_.when(last, [&] { rest(rest_last); });
        return;
    }
    if (form.height > 1) {
        // Tiles of whole rows, one below the other; then single rows.
        form.downwards = true;
        const Value count = e_.divide(task.rows, form.height);
        run(form, e_.index(0), e_.index(0), count);
        TileForm row = form;
        row.height = 1;
        const Value done = e_.multiply(count, form.height);
        const Value left = e_.remainder(task.rows, form.height);
        run(row, e_.multiply(done, row_in), e_.multiply(done, out_w * pixel_out), left);
        return;
    }
    e_.loop(e_.index(0), task.rows, [&](Value row) {
        if (plan_.skips_rows) rows = kernel_rows(e_.add(task.first_row, row));
        const Value in = e_.multiply(row, row_in);
        const Value out = e_.multiply(row, out_w * pixel_out);
        const std::int64_t count = out_w / form.width;
        run(form, in, out, e_.index(count));
        if (out_w % form.width == 0) return;
        TileForm narrow = form;
        narrow.width = out_w % form.width;
        const std::int64_t done = count * form.width;
        run(narrow, e_.add(in, done * pixel_in), e_.add(out, done * pixel_out), e_.index(1));
    });
}

// Kernel row r lies in input row y + r x dilation, with y = output row x stride - pad.
ConvEmitter::KernelRows ConvEmitter::kernel_rows(Value output_row) {
    namespace arith = mlir::arith;
    const auto positive = [&](Value value) {
        return e_.builder.create<arith::MaxSIOp>(e_.loc, value, e_.index(0));
    };
    const Value y = e_.multiply(output_row, shape_.stride);
    const auto minus_y = [&](std::int64_t from) -> Value {
        return e_.builder.create<arith::SubIOp>(e_.loc, e_.index(from), y);
    };
    const std::int64_t dilation = shape_.dilation;
    // The first with y + r x dilation >= 0, the first with y + r x dilation >= h.
    const Value first = e_.divide(positive(minus_y(shape_.pad + dilation - 1)), dilation);
    const Value last = e_.divide(positive(minus_y(shape_.h + shape_.pad + dilation - 1)), dilation);
    return {first, e_.least(last, e_.index(shape_.r))};
}

}  // namespace memside::codegen
