/// All services together: dev, demo, tests.
@NullMarked
package dev.vigil.platform;

import org.jspecify.annotations.NullMarked;
