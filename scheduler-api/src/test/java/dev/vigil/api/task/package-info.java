/// Tests of the task routes.
@NullMarked
package dev.vigil.api.task;

import org.jspecify.annotations.NullMarked;
