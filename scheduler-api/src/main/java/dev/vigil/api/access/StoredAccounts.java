package dev.vigil.api.access;

import dev.vigil.api.web.AccountRecords;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Accounts with what hangs on them, for access requests.
final class StoredAccounts implements AccountRecords {
    /// Most sign-ins of one account that are shown; `sign_ins_complete` is false when there are more.
    static final int SIGN_INS_MAX = 10_000;

    private final Users users;
    private final UserRoutes views;
    private final ApiKeys keys;
    private final Sessions sessions;

    StoredAccounts(Users users, UserRoutes views, ApiKeys keys, Sessions sessions) {
        this.users = users;
        this.views = views;
        this.keys = keys;
        this.sessions = sessions;
    }

    @Override
    public Optional<Map<String, @Nullable Object>> of(UUID user) {
        return users.find(user).map(account -> {
            List<Sessions.Known> signIns = sessions.of(user, SIGN_INS_MAX + 1);
            Map<String, @Nullable Object> view = new LinkedHashMap<>(views.view(account));
            view.put(
                    "api_keys",
                    keys.page(user, null, ApiKeys.PER_OWNER_MAX).stream()
                            .map(ApiKeyRoutes::view)
                            .toList());
            view.put(
                    "sign_ins",
                    signIns.stream()
                            .limit(SIGN_INS_MAX)
                            .map(StoredAccounts::view)
                            .toList());
            view.put("sign_ins_complete", signIns.size() <= SIGN_INS_MAX);
            return view;
        });
    }

    private static Map<String, @Nullable Object> view(Sessions.Known signIn) {
        Map<String, @Nullable Object> view = new LinkedHashMap<>();
        view.put("began_at", signIn.beganAt());
        view.put("expires_at", signIn.expiresAt());
        view.put("ended_at", signIn.endedAt());
        view.put("client", signIn.client());
        return view;
    }
}
