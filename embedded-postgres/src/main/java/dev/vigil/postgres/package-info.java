/// A real PostgreSQL server beside the process that starts it.
@NullMarked
package dev.vigil.postgres;

import org.jspecify.annotations.NullMarked;
