/// How a command ends.
@NullMarked
package dev.vigil.cli.exit;

import org.jspecify.annotations.NullMarked;
