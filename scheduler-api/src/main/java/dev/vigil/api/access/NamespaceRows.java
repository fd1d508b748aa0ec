package dev.vigil.api.access;

import java.util.List;
import java.util.Optional;
import org.springframework.data.domain.Limit;
import org.springframework.data.jpa.repository.JpaRepository;

/// The rows of `access.namespace`.
interface NamespaceRows extends JpaRepository<Namespace, Integer> {
    Optional<Namespace> findByNameAndDeletedAtIsNull(String name);

    List<Namespace> findByDeletedAtIsNullAndIdLessThanOrderByIdDesc(int id, Limit limit);
}
