@NullMarked
package dev.vigil.scheduler.execution;

import org.jspecify.annotations.NullMarked;
