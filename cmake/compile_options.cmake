# Flags that hold for every target, and the fast tools (ccache, lld) when they are there.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(TIDEMILL_HARDENED "Fortified libraries, stack protector, PIE, read-only relocations" OFF)
set(TIDEMILL_SANITIZE "" CACHE STRING "Value for -fsanitize=")

find_program(TIDEMILL_CCACHE ccache)
if(TIDEMILL_CCACHE)
  # Paths below the source folder are hashed relative to it, so that two checkouts share one cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
      CCACHE_NOHASHDIR=1 ${TIDEMILL_CCACHE})
endif()
find_program(TIDEMILL_LLD ld.lld)
if(TIDEMILL_LLD)
  add_link_options(-fuse-ld=lld)
endif()

add_compile_options(-Wall -Wextra -Wno-missing-field-initializers -Wpedantic -Wshadow -Wconversion -Werror)
# The same commands must give the same bytes on every machine, so no fused multiply-add.
add_compile_options(-ffp-contract=off)
# Paths in assertions and debug information are those of the source tree, wherever it was built.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -ffile-prefix-map=../../=)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 warns about the inside of std::string (GCC bug 105651).
  add_compile_options(-Wno-restrict)
else()
  add_compile_options(-Wthread-safety)
endif()

if(TIDEMILL_HARDENED)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  add_link_options(-pie LINKER:-z,relro,-z,now)
endif()

if(TIDEMILL_SANITIZE)
  add_compile_options(-fsanitize=${TIDEMILL_SANITIZE} -fno-sanitize-recover=all)
  add_compile_options(-fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TIDEMILL_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # The instrumented code hides initialisation from the optimiser that looks for it.
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
endif()
