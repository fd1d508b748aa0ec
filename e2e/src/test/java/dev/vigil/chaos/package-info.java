/// Faults done to real processes, and what must hold meanwhile: docs/how-to/test-under-faults.md.
@NullMarked
package dev.vigil.chaos;

import org.jspecify.annotations.NullMarked;
