// The same as sysflow.hh.
#pragma once

#include "sysflow.hh"
