/// The REST service.
@NullMarked
package dev.vigil.api;

import org.jspecify.annotations.NullMarked;
