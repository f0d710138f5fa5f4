# Language level, warnings, linker and sanitizers of every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(PILEUS_SANITIZE "Sanitizers to build with, as in -fsanitize=" "")
option(PILEUS_FUZZ "Build the fuzz targets with libFuzzer (clang)" OFF)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
# Modules name the libraries that any of their files wants; a program loads those that its own files do.
add_link_options(LINKER:--as-needed)

add_library(pileus_compile INTERFACE)
target_include_directories(pileus_compile INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(pileus_compile INTERFACE _GLIBCXX_ASSERTIONS)
target_compile_options(pileus_compile INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow
  -Wformat=2 -Wundef -Wvla -Werror
  -fno-omit-frame-pointer
  $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual
    -Wmissing-declarations -fno-exceptions>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(pileus_compile INTERFACE -Wduplicated-cond -Wlogical-op -Wcast-align=strict
    -Wimplicit-fallthrough=5 $<$<COMPILE_LANGUAGE:CXX>:-Wsuggest-override>)
endif()

# GCC 12 at -O3 sees overlapping copies in std::string's operator+ (its bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(pileus_compile INTERFACE $<$<CONFIG:Release>:-Wno-restrict>)
endif()

set(PILEUS_TEST_PATIENCE 1)
if(PILEUS_SANITIZE)
  add_compile_options(-fsanitize=${PILEUS_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PILEUS_SANITIZE})
  add_compile_definitions(PILEUS_SANITIZED=1)
  # Tests get so many times as long; TSan is the slowest.
  set(PILEUS_TEST_PATIENCE 4)
  if(PILEUS_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Fences order the engine's accesses with those of translated code, of which the sanitizer knows nothing anyway.
    add_compile_options(-Wno-tsan)
  endif()
endif()
if(PILEUS_FUZZ)
  # Everything counts its branches and checks its memory; tests/fuzz links libFuzzer itself.
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
  add_compile_definitions(PILEUS_SANITIZED=1)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(pileus_compile INTERFACE -Wno-gnu-statement-expression)
endif()
