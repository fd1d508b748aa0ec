/// The worker process.
@NullMarked
package dev.vigil.agent;

import org.jspecify.annotations.NullMarked;
