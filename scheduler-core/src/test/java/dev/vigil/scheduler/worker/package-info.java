@NullMarked
package dev.vigil.scheduler.worker;

import org.jspecify.annotations.NullMarked;
