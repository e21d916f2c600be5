/* SPDX-License-Identifier: MIT */
/*
 * A program that needs TLS, at least to know whom the system trusts; prints 144 if that went well.
 */
#include <stdio.h>

#include <sillon/sillon.h>
#include <sillon/tls.h>

int main(void)
{
    sil_tls_config *config = sil_tls_client_config(NULL);
    if (config)
        printf("144\n");
    else
        printf("%s\n", sil_error_message(sil_last_error()));
    sil_tls_config_destroy(config);
    return config == NULL;
}
