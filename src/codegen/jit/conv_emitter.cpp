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

std::int64_t ConvEmitter::rows_of_last_task() const {
    return shape_.out_h() - (plan_.row_tasks - 1) * plan_.schedule.tile_rows;
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
    task.is_last_row_task = e_.equal(row_task, plan_.row_tasks - 1);
    task.rows = e_.builder.create<mlir::arith::SelectOp>(e_.loc, task.is_last_row_task,
                                                         e_.index(rows_of_last_task()),
                                                         e_.index(plan_.schedule.tile_rows));

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

void ConvEmitter::emit_block(mlir::ValueRange arguments, const Task& task, Value number,
                             TileForm form) {
    const std::int64_t channels = plan_.schedule.vectors * machine_.lanes;
    const Value k = e_.multiply(number, channels);
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
    Block block;
    block.weight_offset = e_.multiply(number, plan_.block_weight_bytes);
    block.table_offset = e_.multiply(number, 4 * channels);
    block.output_offset = e_.add(e_.multiply(pixel, pixel_bytes), channel);
    form.height = plan_.tile_height;
    form.width = plan_.tile_width;
    if (plan_.flat) {
        emit_flat(arguments, task, block, form);
    } else if (form.height > 1) {
        emit_tall(arguments, task, block, form);
    } else {
        emit_row_by_row(arguments, task, block, form);
    }
}

// `count` tiles, the first `input` and `output` bytes after the task's first pixel.
void ConvEmitter::call_tiles(mlir::ValueRange arguments, const Task& task, const Block& block,
                             const TileForm& form, Value input, Value output, Value count,
                             const KernelRows& rows) {
    Values values{arguments[reads_input() ? input_arg : scratch_arg],
                  arguments[weights_arg],
                  arguments[tables_arg],
                  arguments[output_arg],
                  e_.add(task.input_offset, input),
                  block.weight_offset,
                  block.table_offset,
                  e_.add(block.output_offset, output),
                  count};
    if (plan_.skips_rows) values.append({rows.first, rows.last});
    e_.call(tiles(form), values);
}

// A task's pixels as one long row; what is left of it depends on how many rows the task has.
void ConvEmitter::emit_flat(mlir::ValueRange arguments, const Task& task, const Block& block,
                            const TileForm& form) {
    const std::int64_t out_w = shape_.out_w();
    const Value count = e_.divide(e_.multiply(task.rows, out_w), form.width);
    call_tiles(arguments, task, block, form, e_.index(0), e_.index(0), count);
    const Value input = e_.multiply(count, form.width * plan_.tile_pixel_stride * element_bytes());
    const Value output = e_.multiply(count, form.width * output_pixel_bytes());
    const auto rest = [&](std::int64_t pixels) {
        if (pixels == 0) return;
        TileForm narrow = form;
        narrow.width = pixels;
        call_tiles(arguments, task, block, narrow, input, output, e_.index(1));
    };
    const std::int64_t full = plan_.schedule.tile_rows * out_w % form.width;
    const std::int64_t last = rows_of_last_task() * out_w % form.width;
    if (full == last) {
        rest(full);
        return;
    }
    if (full > 0) e_.when(e_.negate(task.is_last_row_task), [&] { rest(full); });
    if (last > 0) e_.when(task.is_last_row_task, [&] { rest(last); });
}

// Tiles of several whole rows, one below the other; then single rows.
void ConvEmitter::emit_tall(mlir::ValueRange arguments, const Task& task, const Block& block,
                            TileForm form) {
    form.downwards = true;
    const Value count = e_.divide(task.rows, form.height);
    call_tiles(arguments, task, block, form, e_.index(0), e_.index(0), count);
    const Value done = e_.multiply(count, form.height);
    const Value left = e_.remainder(task.rows, form.height);
    form.height = 1;
    call_tiles(arguments, task, block, form,
               e_.multiply(done, plan_.tile_row_stride * element_bytes()),
               e_.multiply(done, shape_.out_w() * output_pixel_bytes()), left);
}

// Tiles along each row, then one for what is left of it.
void ConvEmitter::emit_row_by_row(mlir::ValueRange arguments, const Task& task, const Block& block,
                                  const TileForm& form) {
    const std::int64_t count = shape_.out_w() / form.width;
    const std::int64_t done = count * form.width;
    e_.loop(e_.index(0), task.rows, [&](Value row) {
        KernelRows rows;
        if (plan_.skips_rows) rows = kernel_rows(e_.add(task.first_row, row));
        const Value input = e_.multiply(row, plan_.tile_row_stride * element_bytes());
        const Value output = e_.multiply(row, shape_.out_w() * output_pixel_bytes());
        call_tiles(arguments, task, block, form, input, output, e_.index(count), rows);
        if (done == shape_.out_w()) return;
        TileForm narrow = form;
        narrow.width = shape_.out_w() - done;
        call_tiles(arguments, task, block, narrow,
                   e_.add(input, done * plan_.tile_pixel_stride * element_bytes()),
                   e_.add(output, done * output_pixel_bytes()), e_.index(1), rows);
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
