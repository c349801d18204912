/* handlers.h - the operations of the contract, each under its operationId. */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "api/router.h"

/* handle_containers.c */
handler list_containers, create_container, get_container, put_container, delete_container;
handler created_container, finished_put, deleted_container;

/* handle_status.c */
handler get_status, put_status, patch_status, get_checkpoint, changed_status;

/* handle_service.c */
handler get_livez, get_readyz, get_version, get_openapi_yaml, get_openapi_json, get_problem;

/* metrics.c */
handler get_metrics;

#endif
