# What a Debian package has beside the files of `cmake --install`: control fields, changelogs, copyright.
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${GPUP_MAINTAINER})
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS openssh-client)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"gpup reads how many partitions each GPU of a Hyper-V host or cluster is to
have, and which virtual machines hold one, from YAML files. It plans the
ordered steps between that and what is there, performs them, each checked
before and after, with as few machines stopped as possible, and tells a
pipeline whether reality still matches.
.
Hosts are reached by PowerShell, over SSH for one; simulated hosts, which
keep the platform's rules, are there to try and to test.")

set(ENV{SOURCE_DATE_EPOCH} ${release_time})
string(TIMESTAMP release_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
unset(ENV{SOURCE_DATE_EPOCH})
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/changelog.Debian
"gpup (${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * Release ${PROJECT_VERSION}; changelog.gz tells what is new.

 -- ${GPUP_MAINTAINER}  ${release_date}
")
configure_file(copyright.in ${CMAKE_CURRENT_BINARY_DIR}/copyright @ONLY)
configure_file(${PROJECT_SOURCE_DIR}/CHANGELOG.md ${CMAKE_CURRENT_BINARY_DIR}/changelog COPYONLY)
foreach(file changelog changelog.Debian)
  execute_process(COMMAND gzip -9nc ${CMAKE_CURRENT_BINARY_DIR}/${file} OUTPUT_FILE ${CMAKE_CURRENT_BINARY_DIR}/${file}.gz
                  COMMAND_ERROR_IS_FATAL ANY)
endforeach()
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/copyright ${CMAKE_CURRENT_BINARY_DIR}/changelog.gz
              ${CMAKE_CURRENT_BINARY_DIR}/changelog.Debian.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME gpup)
