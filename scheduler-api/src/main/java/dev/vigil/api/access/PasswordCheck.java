package dev.vigil.api.access;

import dev.vigil.api.web.Call;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Name and password, whether they come as JSON or from the sign-in page: throttled alike, recorded alike, and refused
/// in the same time whichever is wrong.
final class PasswordCheck {
    /// Longest password that is looked at.
    static final int LENGTH_MAX = 1024;

    /// Longest name that is looked for.
    static final int NAME_LENGTH_MAX = 200;

    private final Users users;
    private final RowSigner signer;
    private final Passwords passwords;
    private final Guard guard;

    /// What watches over guessing.
    record Guard(FailureThrottle throttle, CallLog log, InstantSource time) {}

    PasswordCheck(Users users, RowSigner signer, Passwords passwords, Guard guard) {
        this.users = users;
        this.signer = signer;
        this.passwords = passwords;
        this.guard = guard;
    }

    /// Who it is; empty, and on record, when name or password is wrong or the account is disabled.
    ///
    /// @throws dev.vigil.api.web.ProblemException 429 after too many failures
    Optional<User> check(String username, String password, Call call) {
        String account = username.toLowerCase(Locale.ROOT);
        guard.throttle.check(account, call.address());
        User user = users.findByName(username).orElse(null);
        boolean right = passwords.matches(password, user == null ? null : user.password);
        if (user == null || !right || !user.isActive() || !signer.signed(user)) {
            guard.throttle.failed(account, call.address());
            guard.log.signIn(event("login", Result.FAILURE, user, call), call.address(), false);
            return Optional.empty();
        }
        guard.throttle.succeeded(account, call.address());
        return Optional.of(user);
    }

    /// The event of a sign-in.
    AuditEvent event(String action, Result result, @Nullable User user, Call call) {
        AuditEvent event = AuditEvent.of(EventType.AUTHENTICATION, action, result, guard.time.instant())
                .with("request_id", call.requestId());
        return user == null ? event : event.user(user.id).namespace(user.namespace);
    }
}
