#pragma once

// What the file VERSION at the top of the project says, and the end of its line.
extern const char *const cversion_text;
