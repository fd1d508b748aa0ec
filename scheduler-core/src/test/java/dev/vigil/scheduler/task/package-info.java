@NullMarked
package dev.vigil.scheduler.task;

import org.jspecify.annotations.NullMarked;
