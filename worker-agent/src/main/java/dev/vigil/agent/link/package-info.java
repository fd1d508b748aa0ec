/// The DEALER end of the link.
@NullMarked
package dev.vigil.agent.link;

import org.jspecify.annotations.NullMarked;
