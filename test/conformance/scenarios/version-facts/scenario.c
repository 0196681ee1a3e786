/*
 * xen_version: every sub-operation.
 *
 * A port asks these once, at its start: the version (4.17 is 0x40011), what Xen was built with, which features a guest has and where
 * the part of the address space is that belongs to Xen. Buffers that cannot be written give -EFAULT; a page size and a version need none.
 *
 * Read: `version` and `features` must be those of Xen 4.17 for this role; all errors come from the sub-operation's own checks.
 */
#include "guest.h"

static union {
	xen_extraversion_t extra;
	xen_capabilities_info_t capabilities;
	xen_changeset_info_t changeset;
	xen_platform_parameters_t platform;
	xen_feature_info_t features;
	xen_commandline_t command_line;
	struct xen_compile_info compile;
	char bytes[2048];
} out;

SCENARIO("version-facts")
{
	answer("version", CALL(xen_version, XENVER_version));
	answer("extraversion", CALL(xen_version, XENVER_extraversion, &out));
	out.extra[3] = 0;
	text("extraversion begins", out.extra);
	answer("compile_info", CALL(xen_version, XENVER_compile_info, &out));
	answer("capabilities", CALL(xen_version, XENVER_capabilities, &out));
	text("capabilities of PV", (out.capabilities[14] = 0, out.capabilities));
	answer("changeset", CALL(xen_version, XENVER_changeset, &out));
	answer("platform_parameters", CALL(xen_version, XENVER_platform_parameters, &out));
	value("virt_start", out.platform.virt_start);
	out.features.submap_idx = 0;
	answer("get_features 0", CALL(xen_version, XENVER_get_features, &out));
	value("features 0", out.features.submap);
	out.features.submap_idx = 1;
	answer("get_features 1", CALL(xen_version, XENVER_get_features, &out));
	answer("pagesize", CALL(xen_version, XENVER_pagesize, 0));
	answer("guest_handle", CALL(xen_version, XENVER_guest_handle, &out));
	answer("commandline", CALL(xen_version, XENVER_commandline, &out));
	answer("build_id", CALL(xen_version, XENVER_build_id, 0));
	answer("unknown", CALL(xen_version, 99, 0));
	answer("removed 5", CALL(xen_version, 5 + 6, 0));
	answer("extraversion to an unmapped address", CALL(xen_version, XENVER_extraversion, UNMAPPED));
	answer("compile_info to an unmapped address", CALL(xen_version, XENVER_compile_info, UNMAPPED));
	answer("capabilities to an address of Xen", CALL(xen_version, XENVER_capabilities, XEN_ADDRESS));
	answer("changeset to an unmapped address", CALL(xen_version, XENVER_changeset, UNMAPPED));
	ONLY64(answer("platform_parameters to an address that is not canonical", CALL(xen_version, XENVER_platform_parameters, NOT_CANONICAL));)
	answer("get_features at an unmapped address", CALL(xen_version, XENVER_get_features, UNMAPPED));
	answer("guest_handle to the read-only M2P", CALL(xen_version, XENVER_guest_handle, M2P_ADDRESS));
	answer("commandline to an unmapped address", CALL(xen_version, XENVER_commandline, UNMAPPED));
}
