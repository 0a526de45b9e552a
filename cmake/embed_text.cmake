# Writes a C++ file that defines NAMESPACE::FUNCTION() as the text of a file. Run at build time:
#   cmake -DIN=a.py -DOUT=a.cc -DHEADER=b/a.h -DNAMESPACE=tidemill::b -DFUNCTION=a_text -P embed_text.cmake
file(READ "${IN}" text)
if(BEFORE)  # another file, whose text stands in front
  file(READ "${BEFORE}" before)
  string(PREPEND text "${before}\n\n")
endif()
file(WRITE "${OUT}" "#include \"${HEADER}\"

namespace ${NAMESPACE} {

std::string_view ${FUNCTION}() {
  return R\"EMBEDDED(${text})EMBEDDED\";
}

}  // namespace ${NAMESPACE}
")
