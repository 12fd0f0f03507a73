#pragma once

namespace gpup {

/// Called first: makes standard streams what all else takes them for. One that is closed is held by one that fails as a
/// closed one does; what is written to nobody, or to a file that may not grow, is an error as a full disk is; bytes go
/// through as they are, and a console takes them as UTF-8, with colours.
void prepare_standard_streams();

bool is_terminal(int descriptor);
/// Columns of the terminal behind it; 0 where there is none.
unsigned terminal_columns(int descriptor);
/// The next character of standard input; false at its end, and where a signal came.
bool read_typed(char& c);

}  // namespace gpup
