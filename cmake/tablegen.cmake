# memside_tablegen(FOLDER FILE.td OUTPUT.inc ACTION...): src/compiler/FOLDER/FILE.td through
# mlir-tblgen to build/.../generated/compiler/FOLDER/OUTPUT.inc. Adds the output to the variable
# `generated` of the caller.
function(memside_tablegen folder source output)
  set(made ${CMAKE_BINARY_DIR}/generated/compiler/${folder}/${output})
  add_custom_command(
    OUTPUT ${made}
    COMMAND ${LLVM_TOOLS_BINARY_DIR}/mlir-tblgen ${ARGN} -I ${PROJECT_SOURCE_DIR}/src
            -I ${MLIR_TABLEGEN_INCLUDE} ${PROJECT_SOURCE_DIR}/src/compiler/${folder}/${source}
            -o ${made} -d ${made}.d
    DEPENDS ${PROJECT_SOURCE_DIR}/src/compiler/${folder}/${source}
    DEPFILE ${made}.d
    VERBATIM)
  set(generated ${generated} ${made} PARENT_SCOPE)
endfunction()
