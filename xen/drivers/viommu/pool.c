/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pool.c: the pages that shadow tables are made of, within the unit's quota.
 *
 * A leaf of 1G takes the place of a table, and has to become one again whenever
 * the guest changes a part of it. For this never to fail, a page stays in
 * reserve, and in the quota, for each such leaf.
 */
#include "boundary.h"
#include "pool.h"

bool pool_has_room(const struct viommu *vi, unsigned int n)
{
    return vi->count[XEN_VIOMMU_CNT_table_pages] + n <= vi->table_quota;
}

mfn_t pool_alloc(struct viommu *vi)
{
    mfn_t mfn = hw_table_alloc(vi);

    if ( !mfn_eq(mfn, INVALID_MFN) )
        viommu_count(vi, table_pages);

    return mfn;
}

void pool_free(struct viommu *vi, mfn_t mfn)
{
    if ( vi->spare.pages == vi->spare.wanted )
    {
        hw_table_free(vi, mfn);
        vi->count[XEN_VIOMMU_CNT_table_pages]--;
        return;
    }

    hw_table(mfn)[0] = mfn_x(vi->spare.first);
    vi->spare.first = mfn;
    vi->spare.pages++;
}

void pool_reserve(struct viommu *vi)
{
    vi->spare.wanted++;
}

mfn_t pool_take_reserve(struct viommu *vi)
{
    mfn_t mfn = vi->spare.first;

    /*
     * It is not waiting for a flush: no walk comes back to a leaf of 1G that it
     * has made.
     */
    if ( !vi->spare.pages )
    {
        ASSERT_UNREACHABLE();
        return INVALID_MFN;
    }

    vi->spare.first = _mfn(hw_table(mfn)[0]);
    vi->spare.pages--;
    vi->spare.wanted--;

    return mfn;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
