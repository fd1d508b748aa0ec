/// The HTTP port of a service beside the API: its server, who calls with which token, answers and problems.
@NullMarked
package dev.vigil.edge;

import org.jspecify.annotations.NullMarked;
