package dev.vigil.api.access;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.data.domain.Limit;
import org.springframework.data.jpa.repository.JpaRepository;
import org.springframework.data.jpa.repository.Query;

/// The rows of `access.principal`.
interface UserRows extends JpaRepository<User, UUID> {
    @Query("SELECT u FROM User u WHERE lower(u.username) = lower(:username) AND u.deletedAt IS NULL")
    Optional<User> findByUsername(String username);

    @Query("SELECT u FROM User u WHERE u.id = :id AND u.deletedAt IS NULL")
    Optional<User> findPresent(UUID id);

    @Query("SELECT u FROM User u WHERE u.id < :before AND u.kind = :kind AND u.deletedAt IS NULL ORDER BY u.id DESC")
    List<User> page(String kind, UUID before, Limit limit);

    boolean existsByNamespaceAndDeletedAtIsNull(int namespace);
}
