// Errors as values; the types are public.
#pragma once

#include <sfkit/status.h>
