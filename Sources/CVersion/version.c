#include "CVersion.h"

// The compiler reads the file itself, so a new version is seen without a step that generates code: Package.swift could
// read it too, but SwiftPM does not run Package.swift again when only VERSION has changed.
#pragma clang diagnostic ignored "-Wc23-extensions"
static const char text[] = {
#embed "../../VERSION"
    , 0};

const char *const cversion_text = text;
