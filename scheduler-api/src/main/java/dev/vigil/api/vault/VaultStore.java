package dev.vigil.api.vault;

import java.time.InstantSource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/// What every table of the vault is reached with.
///
/// @param transactions a change and its events share one
record VaultStore(JdbcClient db, TransactionTemplate transactions, VaultEvents events, InstantSource time) {}
