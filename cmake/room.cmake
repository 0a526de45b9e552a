# How a room is built. Two functions:
#
#   tidemill_room(machine DEPS base model LIBS fmt PURE)   in src/machine/CMakeLists.txt
#   tidemill_test(scenario_test LABEL scenario DEPS engine LIBS json [SOURCES a.cc ...] [ARGS ...])
#
# tidemill_room(NAME) makes
#   tidemill_NAME          a static library of every *.cc below the folder that is not a test
#   NAME_test              a GoogleTest binary of every *_test.cc (ctest label `unit`)
#   NAME_conformance_test  the same of conformance/ (label `conformance`), never in the library
# A room without any *.cc is a header-only library. PURE rooms have no clock, I/O, thread or
# entropy: they are listed in build/PRESET/pure_rooms.txt for the purity test.

# The libraries behind the short names of cmake/libraries.cmake, and the rooms behind theirs.
function(tidemill_resolve out)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPS;LIBS")
  set(targets)
  foreach(room IN LISTS arg_DEPS)
    list(APPEND targets tidemill_${room})
  endforeach()
  foreach(lib IN LISTS arg_LIBS)
    if(NOT TIDEMILL_LIB_${lib})
      message(FATAL_ERROR "no library '${lib}' in cmake/libraries.cmake")
    endif()
    list(APPEND targets ${TIDEMILL_LIB_${lib}})
  endforeach()
  set(${out} ${targets} PARENT_SCOPE)
endfunction()

function(tidemill_room name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "PURE" "" "DEPS;LIBS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tidemill_room(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  tidemill_resolve(links DEPS ${arg_DEPS} LIBS ${arg_LIBS})

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cc)
  set(conformance ${sources})
  list(FILTER conformance INCLUDE REGEX "/conformance/")
  list(FILTER sources EXCLUDE REGEX "/conformance/")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")

  set(library tidemill_${name})
  set(scope PUBLIC)
  if(sources)
    add_library(${library} STATIC ${sources})
  else()
    add_library(${library} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${library} ${scope} ${CMAKE_SOURCE_DIR}/src
                             ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(${library} ${scope} ${links})
  if(arg_PURE AND sources)
    set_property(GLOBAL APPEND_STRING PROPERTY TIDEMILL_PURE "${name} $<TARGET_FILE:${library}>\n")
    set_property(GLOBAL APPEND PROPERTY TIDEMILL_PURE_LIBRARIES $<TARGET_FILE:${library}>)
  endif()

  if(tests)
    tidemill_test(${name}_test LABEL unit DEPS ${name} SOURCES ${tests})
  endif()
  if(conformance)
    tidemill_test(${name}_conformance_test LABEL conformance DEPS ${name} SOURCES ${conformance})
  endif()
endfunction()

# A GoogleTest binary, one entry of ctest. Without SOURCES it takes every *_test.cc of the folder.
function(tidemill_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL" "DEPS;LIBS;SOURCES;ARGS")
  if(NOT arg_SOURCES)
    file(GLOB arg_SOURCES CONFIGURE_DEPENDS *_test.cc)
  endif()
  tidemill_resolve(links DEPS ${arg_DEPS} LIBS ${arg_LIBS})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE ${links} GTest::gmock GTest::gtest_main Threads::Threads)
  add_test(NAME ${name} COMMAND ${name} ${arg_ARGS} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  # tools/check.py builds what a test requires: until it is built, ctest does not name the command.
  set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 600
                       REQUIRED_FILES $<TARGET_FILE:${name}>)
endfunction()
