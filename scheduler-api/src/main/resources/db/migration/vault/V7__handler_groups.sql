-- Which groups of workers a handler may run on: a core offers an execution to no worker that would be refused its key.
-- Nothing else of the registry is the core's business; an empty list is all groups.
CREATE VIEW vault.handler_group AS
    SELECT name, ARRAY(SELECT jsonb_array_elements_text(approved::jsonb -> 'workerGroups')) AS groups
      FROM vault.handler
     WHERE approved IS NOT NULL AND jsonb_typeof(approved::jsonb -> 'workerGroups') = 'array';
GRANT SELECT ON vault.handler_group TO vigil_core;
