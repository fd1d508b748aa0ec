/// Tests of the gateway routes.
@NullMarked
package dev.vigil.api.gateway;

import org.jspecify.annotations.NullMarked;
