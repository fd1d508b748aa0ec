package dev.vigil.api.access;

import java.util.Optional;
import java.util.UUID;
import org.springframework.data.jpa.repository.JpaRepository;

/// The rows of `access.client`.
interface ClientRows extends JpaRepository<Client, String> {
    Optional<Client> findByPrincipal(UUID principal);
}
