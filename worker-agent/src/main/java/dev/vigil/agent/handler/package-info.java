/// The handler protocol and its pools.
@NullMarked
package dev.vigil.agent.handler;

import org.jspecify.annotations.NullMarked;
