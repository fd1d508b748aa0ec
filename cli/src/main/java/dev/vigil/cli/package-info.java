/// The vigil command.
@NullMarked
package dev.vigil.cli;

import org.jspecify.annotations.NullMarked;
