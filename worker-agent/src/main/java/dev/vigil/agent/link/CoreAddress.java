package dev.vigil.agent.link;

import java.net.URI;
import java.util.UUID;

/// A live core, as the API lists it.
///
/// @param incarnation this life of the core
/// @param sessionUrl  where sessions are asked for
record CoreAddress(UUID incarnation, URI sessionUrl) {}
