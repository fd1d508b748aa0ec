/// The task and execution routes.
@NullMarked
package dev.vigil.api.task;

import org.jspecify.annotations.NullMarked;
