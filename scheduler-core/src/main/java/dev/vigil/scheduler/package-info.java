/// The engine as a process.
@NullMarked
package dev.vigil.scheduler;

import org.jspecify.annotations.NullMarked;
