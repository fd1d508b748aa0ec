package dev.vigil.api.vault;

import dev.vigil.api.web.Accounts;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.task.SubjectTasks.Person;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/// Whom a request is about: opens the subject's name, and knows his blind index in each namespace concerned.
final class Persons {
    private static final UUID NOBODY = new UUID(0, 0);

    private final SubjectRequests requests;
    private final SubjectIndex index;
    private final PayloadSealer sealer;
    private final Accounts accounts;

    Persons(SubjectRequests requests, SubjectIndex index, PayloadSealer sealer, Accounts accounts) {
        this.requests = requests;
        this.index = index;
        this.sealer = sealer;
        this.accounts = accounts;
    }

    /// The subject's name.
    ///
    /// @return empty when his key is destroyed
    Optional<String> name(SubjectRequest request) {
        Place place = request.place(1);
        return sealer.open(place, place.subject(request.keyId()), request.subject())
                        instanceof Opened.Plain(byte[] name)
                ? Optional.of(new String(name, StandardCharsets.UTF_8))
                : Optional.empty();
    }

    /// The persons behind a name, one in each namespace concerned.
    List<Person> of(String subject, int namespace, boolean everywhere) {
        UUID owner = Id.parse(Kind.USER, subject).map(Id::uuid).orElse(NOBODY);
        // In the namespace of his account nothing may ever have been sealed.
        Stream<Integer> others = everywhere
                ? Stream.concat(requests.namespaces().stream(), accounts.namespaceOf(owner).stream())
                : Stream.empty();
        return Stream.concat(Stream.of(namespace), others)
                .distinct()
                .map(number -> new Person(number, index.of(number, subject), owner))
                .toList();
    }

    /// Whether he is a user whose account lies in that namespace.
    boolean hasAccount(Person person) {
        return accounts.namespaceOf(person.owner())
                .filter(namespace -> namespace == person.namespace())
                .isPresent();
    }
}
