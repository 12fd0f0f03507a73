# Run by cpack before it packs: files get the time of the release, and folders the mode that they have elsewhere, so that
# the same files make the same package, whoever makes it.
execute_process(COMMAND find ${CPACK_TEMPORARY_DIRECTORY} -type d -exec chmod 0755 {} + COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND find ${CPACK_TEMPORARY_DIRECTORY} -exec touch -h -d @${CPACK_SOURCE_DATE_EPOCH} {} +
                COMMAND_ERROR_IS_FATAL ANY)
# The ZIP also has the times at which a file was made and last read, unless cpack is told of one time for all.
set(ENV{SOURCE_DATE_EPOCH} ${CPACK_SOURCE_DATE_EPOCH})
