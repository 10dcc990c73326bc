// SPDX-License-Identifier: Apache-2.0
// Reading rules is part of the public face: include/tocsin/rule_file.hpp.
#pragma once

#include "tocsin/rule_file.hpp"
