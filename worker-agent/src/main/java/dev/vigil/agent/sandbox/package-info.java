/// Limits, namespaces and filters around a handler.
@NullMarked
package dev.vigil.agent.sandbox;

import org.jspecify.annotations.NullMarked;
