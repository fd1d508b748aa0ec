package dev.vigil.api.access;

import org.springframework.data.jpa.repository.JpaRepository;

/// The rows of `access.client`.
interface ClientRows extends JpaRepository<Client, String> {}
