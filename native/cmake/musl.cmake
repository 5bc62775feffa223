# A toolchain that builds for musl on any Linux system: zig's C and C++ compiler, from PyPI.
#   pip install ziglang
#   cmake -S native -B build --toolchain native/cmake/musl.cmake -DSFKIT_ADDON=OFF -DZLIB_ROOT=DIRECTORY
# ZLIB_ROOT has a zlib that was built with the same toolchain. scripts/musl.mjs does all of this.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

if(NOT SFKIT_ZIG)
  find_program(SFKIT_PYTHON NAMES python3 REQUIRED)
  execute_process(
    COMMAND "${SFKIT_PYTHON}" -c "import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), 'zig'))"
    OUTPUT_VARIABLE SFKIT_ZIG OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
endif()
# Checks only compile: zig builds its C library anew for each set of compiler flags that links.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
# try_compile() reads this file again, without the cache.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SFKIT_ZIG)

set(CMAKE_C_COMPILER "${SFKIT_ZIG}" cc -target x86_64-linux-musl)
set(CMAKE_CXX_COMPILER "${SFKIT_ZIG}" c++ -target x86_64-linux-musl)
# zig builds its C and C++ libraries once for each optimization level: the check of the compiler
# builds those that programs need.
set(CMAKE_C_FLAGS_INIT "-O2")
set(CMAKE_CXX_FLAGS_INIT "-O2")
# The archiver is a command of zig, which CMAKE_AR cannot name.
foreach(language C CXX)
  set(CMAKE_${language}_ARCHIVE_CREATE "\"${SFKIT_ZIG}\" ar qc <TARGET> <LINK_FLAGS> <OBJECTS>")
  set(CMAKE_${language}_ARCHIVE_APPEND "\"${SFKIT_ZIG}\" ar q <TARGET> <LINK_FLAGS> <OBJECTS>")
  set(CMAKE_${language}_ARCHIVE_FINISH "\"${SFKIT_ZIG}\" ranlib <TARGET>")
endforeach()

# Libraries and headers of this system are for another C library.
set(CMAKE_FIND_ROOT_PATH "${ZLIB_ROOT}")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ZLIB_ROOT)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
