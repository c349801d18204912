/* The contract that the server hands out against the server itself: every path and method it names is answered, no
 * other is, every problem has its page, and the examples of the contract work. */
#include <check.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"
#include "support/shared.h"
#include "support/suite.h"
#include "support/text.h"

static const char *const methods[] = { "get", "put", "post", "delete", "patch" };

static const json_t *contract(void)
{
	const struct reply *r = http_get(shared_http(), "/openapi.json");

	expect_status(r, 200);
	expect_all(r, "/openapi=3.1.0 /info/title=tallyd");
	return r->json;
}

/* A path of the contract with something real in its braces. */
static const char *real_path(const char *template)
{
	static const char *const pairs[] = { "id", "contracted", "slug", "already-exited", NULL };

	return text_fill(template, pairs);
}

static const char *upper(const char *word)
{
	char *out = text("%s", word);

	for (char *p = out; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return out;
}

static bool listed(const char *allow, const char *method)
{
	size_t len = strlen(method);

	for (const char *p = allow; (p = strstr(p, method)); p++)
		if ((p == allow || p[-1] == ' ' || p[-1] == ',') && (p[len] == '\0' || p[len] == ','))
			return true;
	return false;
}

/* A body that the operation can do something with; NULL where it takes none. */
static const char *body_for(const char *method)
{
	return strcmp(method, "put") == 0 || strcmp(method, "post") == 0 ||
		strcmp(method, "patch") == 0 ? "{}" : NULL;
}

static void check_operation(const char *path, const json_t *item, const char *method)
{
	const json_t *operation = json_object_get(item, method);
	const char *body = body_for(method);
	const struct reply *r;

	r = http_ask(shared_http(), upper(method), text("%s%s", real_path(path), body ? "?dryRun=true" : ""), NULL,
		body);
	if (!operation) {
		expect_problem(r, 405, "method-not-allowed");
		return;
	}
	if (r->status >= 500 || r->status == 405 || r->status == 404)
		expect_fail(r, "the contract has this operation");
	if (!json_at(operation, text("/responses/%d", r->status)))
		expect_fail(r, "the contract does not have this status");
	if (!strcmp(method, "delete"))
		(void)shared_create("contracted", "");
}

START_TEST(every_operation_is_answered)
{
	json_t *paths = json_at(contract(), "/paths"), *item;
	const char *path;

	(void)shared_create("contracted", "");
	ck_assert_uint_ge(json_object_size(paths), 10);
	json_object_foreach(paths, path, item)
		for (size_t i = 0; i < COUNT(methods); i++)
			check_operation(path, item, methods[i]);
}
END_TEST

START_TEST(allow_is_what_the_contract_has)
{
	json_t *paths = json_at(contract(), "/paths"), *item;
	const char *path;

	json_object_foreach(paths, path, item) {
		const struct reply *r = http_ask(shared_http(), "OPTIONS", real_path(path), NULL, NULL);
		const char *allow;

		expect_status(r, 204);
		allow = reply_header(r, "Allow");
		ck_assert_msg(allow && listed(allow, "OPTIONS"), "%s: Allow: %s", path, allow ? allow : "(absent)");
		ck_assert_msg(listed(allow, "HEAD") == listed(allow, "GET"), "%s: Allow: %s", path, allow);
		for (size_t i = 0; i < COUNT(methods); i++)
			ck_assert_msg(listed(allow, upper(methods[i])) == (json_object_get(item, methods[i]) != NULL),
				      "%s: Allow: %s, but the contract differs in %s", path, allow, methods[i]);
	}
}
END_TEST

START_TEST(every_problem_has_its_page)
{
	json_t *problems = json_at(contract(), "/x-problems"), *p;
	size_t i;

	ck_assert_uint_ge(json_array_size(problems), 30);
	json_array_foreach(problems, i, p) {
		const char *slug = json_text(p, "/slug");
		const struct reply *r = http_get(shared_http(), text("/problems/%s", slug));

		expect_status(r, 200);
		expect_all(r, "@Content-Type*=text/plain @Cache-Control=no-cache");
		if (!strstr(r->body, json_text(p, "/title")) || !strstr(r->body, json_text(p, "/status")) ||
			!strstr(r->body, slug))
			expect_fail(r, "the page names its title, its slug and its status");
	}
}
END_TEST

/* The titles that problems bear are the contract's. */
START_TEST(titles_are_the_contracts)
{
	static const char *const asked[][2] = {
		{ "GET", "/containers/nobody" }, { "GET", "/nowhere" }, { "GET", "/containers?x" },
			{ "DELETE", "/containers" },
		{ "FROB", "/containers" }, { "POST", "/containers" },
	};
	json_t *problems = json_at(contract(), "/x-problems"), *p;

	for (size_t n = 0; n < COUNT(asked); n++) {
		const struct reply *r = http_ask(shared_http(), asked[n][0], asked[n][1], NULL,
			strcmp(asked[n][0], "POST") ? NULL : "{");
		bool found = false;
		size_t i;

		json_array_foreach(problems, i, p) {
			if (strcmp(text("/problems/%s", json_text(p, "/slug")), json_text(r->json, "/type")) != 0)
				continue;
			found = true;
			expect_problem(r, atoi(json_text(p, "/status")), json_text(p, "/slug"));
			ck_assert_str_eq(json_text(r->json, "/title"), json_text(p, "/title"));
		}
		if (!found)
			expect_fail(r, "the contract has no such problem");
	}
}
END_TEST

/* Every member the contract requires of a schema is there, and no other when it closes the schema. */
static void check_shape(const json_t *all, const char *schema, const json_t *value, const struct reply *r)
{
	json_t *wanted = json_at(all, text("/components/schemas/%s", schema)), *name, *member;
	const char *key;
	size_t i;

	if (!wanted || !json_is_object(value))
		expect_fail(r, "no object, or no schema %s", schema);
	json_array_foreach(json_object_get(wanted, "required"), i, name)
		if (!json_object_get(value, json_string_value(name)))
			expect_fail(r, "%s: the member %s is missing", schema, json_string_value(name));
	if (!json_is_false(json_object_get(wanted, "additionalProperties")))
		return;
	json_object_foreach((json_t *)(uintptr_t)value, key, member)
		if (!json_object_get(json_object_get(wanted, "properties"), key))
			expect_fail(r, "%s: the member %s is not in the contract", schema, key);
}

START_TEST(shapes_are_the_contracts)
{
	const json_t *all = contract();
	const struct reply *r;

	(void)shared_create("shaped", "\"config\":{},\"status\":{\"startedAt\":1,\"pid\":5}");
	r = http_get(shared_http(), "/containers/shaped");
	check_shape(all, "Container", r->json, r);
	check_shape(all, "Status", json_at(r->json, "/status"), r);
	r = http_get(shared_http(), "/containers/shaped/status");
	check_shape(all, "Status", r->json, r);
	r = http_get(shared_http(), "/containers?limit=1");
	check_shape(all, "ContainerList", r->json, r);
	check_shape(all, "ListMetadata", json_at(r->json, "/metadata"), r);
	check_shape(all, "Container", json_at(r->json, "/items/0"), r);
	r = http_get(shared_http(), "/containers/shaped/checkpoint");
	check_shape(all, "Checkpoint", r->json, r);
	r = http_get(shared_http(), "/version");
	check_shape(all, "Version", r->json, r);
	r = http_ask(shared_http(), "DELETE", "/containers/shape", NULL, NULL);
	check_shape(all, "Problem", r->json, r);
	check_shape(all, "Candidate", json_at(r->json, "/candidates/0"), r);
}
END_TEST

/* Ask with each example of one media type of one operation. */
static void try_examples(const char *method, const char *path, const char *type, const json_t *examples)
{
	const char *name;
	json_t *example;

	json_object_foreach((json_t *)(uintptr_t)examples, name, example) {
		char *body = json_dumps(json_object_get(example, "value"), JSON_COMPACT | JSON_ENCODE_ANY);
		const struct reply *r = http_ask(shared_http(), method, path, text("Content-Type: %s", type), body);

		free(body);
		if (r->status != 200 && r->status != 201)
			expect_fail(r, "the contract gives this as an example (%s)", name);
	}
}

static void try_operation(const char *method, const char *template, const json_t *operation)
{
	/* A container can be made under a free id, a status changed where there is one. */
	bool makes = !strcmp(template, "/containers/{id}");
	const char *pairs[] = { "id", makes ? "example-new" : "example", NULL };
	const char *path = text("%s?dryRun=true", text_fill(template, pairs)), *type;
	json_t *media;

	json_object_foreach(json_at(operation, "/requestBody/content"), type, media)
		try_examples(method, path, type, json_object_get(media, "examples"));
}

/* The examples of request bodies are requests that work, tried without leaving a trace. */
START_TEST(examples_of_bodies_work)
{
	json_t *paths = json_at(contract(), "/paths"), *item;
	const char *path;

	(void)shared_create("example", "");
	json_object_foreach(paths, path, item)
		for (size_t i = 0; i < COUNT(methods); i++)
			try_operation(upper(methods[i]), path, json_object_get(item, methods[i]));
}
END_TEST

START_TEST(yaml_is_served_whole)
{
	const struct reply *r = http_get(shared_http(), "/openapi.yaml");
	size_t len = 0;
	const char *file = text_of_file("openapi.yaml", &len);

	expect_status(r, 200);
	ck_assert_ptr_nonnull(strstr(r->body, "\nopenapi: 3.1.0\n"));
	if (!file)
		return; /* not run from the top of the project */
	ck_assert_uint_eq(r->len, len);
	ck_assert_int_eq(memcmp(r->body, file, len), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("contract");
	TCase *c = shared_case(s, "contract", NULL);

	tcase_add_test(c, every_operation_is_answered);
	tcase_add_test(c, allow_is_what_the_contract_has);
	tcase_add_test(c, every_problem_has_its_page);
	tcase_add_test(c, titles_are_the_contracts);
	tcase_add_test(c, shapes_are_the_contracts);
	tcase_add_test(c, examples_of_bodies_work);
	tcase_add_test(c, yaml_is_served_whole);
	return suite_main(s);
}
