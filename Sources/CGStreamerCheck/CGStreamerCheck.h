// GstHarness for the tests.
#pragma once
#include <gst/check/gstharness.h>
#include <gst/check/gsttestclock.h>
