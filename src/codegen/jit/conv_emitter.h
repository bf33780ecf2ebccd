// A convolution's plan as MLIR. One public function walks over tasks; private ones copy a task's
// input and run a row of register tiles.
#pragma once

#include <map>
#include <tuple>

#include "codegen/jit/emitter.h"
#include "conv/conv_plan.h"

namespace memside::codegen {

// A register tile of one form, and what is between two that follow each other.
struct TileForm {
    std::int64_t height = 1;  // output pixels
    std::int64_t width = 1;
    std::int64_t vectors = 1;     // of output channels
    std::int64_t last_lanes = 0;  // channels of the last vector that exist
    // From a tile to the next: output pixels to the right, or rows down.
    bool downwards = false;

    std::int64_t pixels() const { return height * width; }
    auto key() const { return std::make_tuple(height, width, vectors, last_lanes, downwards); }
};

class ConvEmitter {
  public:
    ConvEmitter(mlir::ModuleOp module, const conv::ConvPlan& plan);

    // Adds the kernel as `symbol`, and what it calls.
    void emit(const std::string& symbol);

  private:
    // conv_emitter.cpp: tasks, blocks of output channels, tiles.
    struct Task {
        Value image;
        Value first_row;
        Value rows;
        Value is_last_row_task;
        Value input_offset;  // of the first output pixel in the buffer that tiles read
    };
    void emit_task(mlir::ValueRange arguments, Value task, Value first_task);
    void emit_blocks(mlir::ValueRange arguments, const Task& task, Value channel_task);
    // The kernel rows of a row of output pixels that lie within the image.
    struct KernelRows {
        Value first;
        Value last;
    };
    KernelRows kernel_rows(Value output_row);
    // A block of output channels: offsets of its weights and tables, and of the task's first pixel
    // in the output.
    struct Block {
        Value weight_offset;
        Value table_offset;
        Value output_offset;
    };
    void emit_block(mlir::ValueRange arguments, const Task& task, Value number, TileForm form);
    void emit_flat(mlir::ValueRange arguments, const Task& task, const Block& block,
                   const TileForm& form);
    void emit_tall(mlir::ValueRange arguments, const Task& task, const Block& block, TileForm form);
    void emit_row_by_row(mlir::ValueRange arguments, const Task& task, const Block& block,
                         const TileForm& form);
    void call_tiles(mlir::ValueRange arguments, const Task& task, const Block& block,
                    const TileForm& form, Value input, Value output, Value count,
                    const KernelRows& rows = {});
    std::int64_t rows_of_last_task() const;

    // emit_copy.cpp: functions that copy a task's input.
    mlir::func::FuncOp emit_copy_rows();
    mlir::func::FuncOp emit_copy_patches();
    void copy(Value from, Value from_offset, Value to, Value to_offset, std::int64_t elements,
              bool convert);
    void copy_piece(Value from, Value from_offset, Value to, Value to_offset, std::int64_t elements,
                    bool convert);
    void fill(Value to, Value to_offset, std::int64_t elements);

    // emit_tile.cpp: the function of a row of tiles.
    mlir::func::FuncOp tiles(const TileForm& form);
    struct Tile {
        const TileForm& form;
        Value input;
        Value weights;
        KernelRows rows;  // where the plan skips some
        // The pixels of a row of the tile that take part.
        std::int64_t first_column;
        std::int64_t last_column;
    };
    Values emit_rows(const Tile& tile, const conv::ReductionNest& nest, std::size_t depth,
                     Value input_offset, Values carried);
    Values emit_columns(const Tile& tile, const conv::ReductionNest& nest, std::size_t depth,
                        Value input_offset, Values carried);
    std::int64_t weight_bytes(const conv::ReductionNest& nest, std::size_t depth,
                              std::int64_t vectors) const;
    class WeightReader;
    Values emit_nest(const Tile& tile, const conv::ReductionNest& nest, std::size_t depth,
                     Value input_offset, Values carried);
    Values emit_run(const Tile& tile, std::int64_t steps, Value input_offset, Values carried);
    Values emit_body(const Tile& tile, std::int64_t steps, Value input_offset, Values carried);
    Value load_activation(Value input, Value offset);
    Value multiply_add(Value sum, Value activation, Value weight);

    // emit_epilogue.cpp: from sums to bytes.
    struct Tables {
        Value bias, multiplier_even, multiplier_odd, rounding, shift;
    };
    Value load_table(Value tables, Value offset, std::int64_t vector, std::int64_t which);
    Tables load_tables(Value tables, Value offset, std::int64_t vector);
    Value scale(Value sum, const Tables& tables);
    void store_pixel(const TileForm& form, mlir::ArrayRef<Value> scaled, Value output,
                     Value offset);
    void store_one(Value scaled, std::int64_t lanes, Value output, Value offset);
    void store_packed(mlir::ArrayRef<Value> scaled, Value output, Value offset);

    bool vnni() const { return plan_.target == conv::Target::x86_vnni; }
    bool four_bits() const { return plan_.problem.weight == conv::WeightType::s4; }
    bool reads_input() const { return plan_.mode == conv::InputMode::direct; }
    // Bytes of an element in the buffer that tiles read.
    std::int64_t element_bytes() const { return reads_input() ? 1 : machine_.activation_bytes; }
    mlir::VectorType sums() { return e_.vector(machine_.lanes, 32); }
    std::int64_t output_pixel_bytes() const;

    mlir::MemRefType buffer(std::int64_t bytes) {
        return mlir::MemRefType::get({std::max<std::int64_t>(bytes, 1)}, e_.builder.getI8Type());
    }
    mlir::MemRefType table_buffer() {
        return mlir::MemRefType::get({plan_.table_values()}, e_.builder.getI32Type());
    }

    const conv::ConvPlan& plan_;
    const conv::ConvShape& shape_;
    const conv::TargetTraits& machine_;
    Emitter e_;
    mlir::func::FuncOp copy_rows_;
    mlir::func::FuncOp copy_patches_;
    std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, bool>,
             mlir::func::FuncOp>
        tiles_;
};

}  // namespace memside::codegen
