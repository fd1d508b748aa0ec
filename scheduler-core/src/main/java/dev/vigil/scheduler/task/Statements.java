package dev.vigil.scheduler.task;

import java.sql.PreparedStatement;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.PreparedStatementCreator;
import org.springframework.jdbc.core.PreparedStatementCreatorFactory;
import org.springframework.jdbc.core.StatementCreatorUtils;
import org.springframework.jdbc.core.namedparam.MapSqlParameterSource;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;
import org.springframework.jdbc.core.namedparam.NamedParameterUtils;
import org.springframework.jdbc.core.namedparam.SqlParameterSource;
import org.springframework.jdbc.core.simple.JdbcClient;

/// A [JdbcClient] for those who run the same statements over and over. Spring writes a statement with named parameters
/// out anew for each call, and the driver then looks up what it has prepared by four kilobytes of text that it has not
/// seen yet; here each is written out once.
///
/// A statement that is handed a collection, which becomes a list of another length each time, goes Spring's way.
public final class Statements extends NamedParameterJdbcTemplate {
    /// Most statements that are kept; whatever comes later is written out each time.
    private static final int KEPT_MAX = 2_000;

    private static final Map<String, WrittenOut> KEPT = new ConcurrentHashMap<>();

    private Statements(DataSource source) {
        super(source);
    }

    /// A client of this database.
    public static JdbcClient over(DataSource source) {
        return JdbcClient.create(new Statements(source));
    }

    /// @param sql   with a question mark for each parameter
    /// @param names of the parameters in their order
    private record WrittenOut(String sql, String[] names) {
        static WrittenOut of(String named) {
            var places = new HashMap<String, @Nullable Object>();
            var names = new MapSqlParameterSource(places) {
                @Override
                public boolean hasValue(String name) {
                    return true;
                }

                @Override
                public Object getValue(String name) {
                    return name;
                }
            };
            var parsed = NamedParameterUtils.parseSqlStatement(named);
            Object[] inOrder = NamedParameterUtils.buildValueArray(parsed, names, null);
            return new WrittenOut(
                    NamedParameterUtils.substituteNamedParameters(parsed, null),
                    Arrays.copyOf(inOrder, inOrder.length, String[].class));
        }
    }

    @Override
    protected PreparedStatementCreator getPreparedStatementCreator(
            String sql, SqlParameterSource parameters, @Nullable Consumer<PreparedStatementCreatorFactory> customizer) {
        WrittenOut statement = KEPT.get(sql);
        if (statement == null) {
            statement = WrittenOut.of(sql);
            if (KEPT.size() < KEPT_MAX) {
                KEPT.put(sql, statement);
            }
        }
        Object[] values = new Object[statement.names.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = parameters.getValue(statement.names[i]);
            if (customizer != null || values[i] instanceof Collection) {
                return super.getPreparedStatementCreator(sql, parameters, customizer);
            }
        }
        return prepared(statement, parameters, values);
    }

    private static PreparedStatementCreator prepared(
            WrittenOut statement, SqlParameterSource parameters, @Nullable Object[] values) {
        return connection -> {
            PreparedStatement prepared = connection.prepareStatement(statement.sql);
            for (int i = 0; i < values.length; i++) {
                StatementCreatorUtils.setParameterValue(
                        prepared, i + 1, parameters.getSqlType(statement.names[i]), values[i]);
            }
            return prepared;
        };
    }
}
